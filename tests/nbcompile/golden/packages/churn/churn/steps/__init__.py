"""The steps of churn, one in each module."""
