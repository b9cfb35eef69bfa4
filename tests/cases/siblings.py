# %% [markdown]
# ```yaml
# expect:
#   status: failed
#   tasks: {work: 4}
#   values: {work/3/square: 9, work/0/square: 0}
#   error_at: {step: work, task: "2", cell: 1, line: 3, type: ValueError}
# ```
# %%
%%step work --foreach n in range(4)
if n == 2:
    raise ValueError("not two")
square = n * n
# %%
%%step after_work
total = sum(work.square)
