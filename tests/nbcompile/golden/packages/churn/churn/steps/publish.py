import math

from churn.notebook import show


def publish(model, reports):
    """Step `publish`.

    Needs `model` and `reports`. Gives `root`.
    """
    root = math.sqrt(abs(model["weight"]))
    print(f"""
root: {root:.2f}
""")
    show(reports)

    return {"root": root}
