# %% [markdown]
# ```yaml
# run: [-p, scale, "2.5"]
# expect:
#   status: succeeded
#   values: {total/answer: 15.0, total/twice: 30.0}
#   resources: {total: {cpu: 2, memory: 1000000000}}
#   depends: [[total, load]]
# ```
# %%
# nbflow: parameters
scale: float = 1.0     # factor
# %%
# nbflow: setup
import math
# %%
# nbflow: step load
rows = [1, 2, 3]
# %%
# nbflow: step total --cpu 2
# nbflow: resources --memory 1GB
answer = math.fsum(rows) * scale
# %% [markdown]
# A step may have several cells.
# %%
# nbflow: step total
twice = answer * 2
