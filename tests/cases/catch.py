# %% [markdown]
# ```yaml
# expect:
#   status: succeeded
#   tasks: {risky: 3, collect: 1}
#   values: {collect/good: [1.0, 0.5], collect/failed: [0], collect/kinds: [ZeroDivisionError]}
# ```
# %%
%%step risky --foreach n in [1, 0, 2] --catch
inverse = 1 / n
# %%
%%step collect
good = [b.inverse for b in risky if b.error is None]
failed = [b.item for b in risky if b.error is not None]
kinds = [b.error.type for b in risky if b.error is not None]
