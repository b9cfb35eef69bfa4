# ---
# jupyter:
#   kernelspec:
#     language: python
# ---

# %% [markdown]
# # Churn
# Which customers leave, and why.

# %%
# %load_ext nbflow
# %flow churn --project growth --schedule "0 6 * * *"

# %%
# %%parameters
alpha: float = 0.1  # how strong the penalty is
countries: list[str] = ["FI", "US"]
limit: int | None = None  # rows to read; all where None
mode: Literal["fast", "exact"] = "fast"

# %%
# %%setup
import math
import statistics as st

PENALTY = 2.0


def penalty(x):
    """How much a weight costs."""
    return PENALTY * abs(x) ** len(f"{'a'}")


# %% [markdown]
# ## Load the customers
#
# They come from a file in real life.

# %%
# %%step load
rows = [
    {"country": c, "spent": i, "left": i % 3 == 0}   # one customer
    for c in countries
    for i in range(6)
][:limit]
note = """
  kept   as it is
    in every line
"""
len(rows)

# %% [markdown]
# ## Train a model for each country

# %%
# %%step train --foreach country in sorted({row["country"] for row in rows}) --cpu 2
# %%resources --memory 512MB
part = [row for row in rows if row['country'] == country]
model = {"weight": st.mean(row["spent"] for row in part) - alpha*penalty(1)}

# %%
# %%step train
def predict(row):
    return row["spent"] * model["weight"] > 5

score = sum(predict(row) == row["left"] for row in part)

# %%
# %%step check --each train --when score > 0
good = score > 1
report = f"{country}: {score:>3}"

# %%
# an analysis, which never runs in the flow
print(train.score)

# %%
# %%step choose
best = max(train, key=lambda branch: branch.score)
model = best.model
reports = [branch.report for branch in check if branch.good]

# %%
# %%step final --when mode == "exact"
model = {**model, "exact": True}

# %%
# %%step publish --after check --retry 1
root = math.sqrt(abs(model["weight"]))
print(f"""
root: {root:.2f}
""")
reports
