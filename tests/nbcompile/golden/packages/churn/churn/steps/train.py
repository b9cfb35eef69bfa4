import statistics as st

from churn.common import penalty


def train_items(rows):
    """The items of the fan-out: `sorted({row["country"] for row in rows})`."""
    return sorted({row["country"] for row in rows})


def train(rows, country, alpha):
    """Train a model for each country.

    One task for each `country`. Needs `rows` and `alpha`. Gives `country`, `part`, `model` and
    `score`.
    """
    part = [row for row in rows if row["country"] == country]
    model = {"weight": st.mean(row["spent"] for row in part) - alpha * penalty(1)}

    def predict(row):
        return row["spent"] * model["weight"] > 5

    score = sum(predict(row) == row["left"] for row in part)

    return {"country": country, "part": part, "model": model, "score": score}
