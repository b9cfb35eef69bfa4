# %% [markdown]
# ```yaml
# run: [[], [-p, alpha, "2"]]
# expect:
#   status: succeeded
#   tasks: {load: 1, train: 3}
#   cached: {load: 1, train: 0, count: 1}
#   values: {choose/best: 4, count/size: 3}
# ```
# %%
%%parameters
alpha: int = 1
# %%
%%step load
rows = [0, 1, 2]
# %%
%%step train --foreach row in rows
score = row * alpha
# %%
%%step count
size = len(rows)
# %%
%%step choose
best = max(train.score)
