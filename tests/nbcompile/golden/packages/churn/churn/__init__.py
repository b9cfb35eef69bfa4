"""The flow churn."""
