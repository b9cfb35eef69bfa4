# %% [markdown]
# ```yaml
# expect:
#   status: succeeded
#   tasks: {each_one: 0}
#   values: {join/count: 0, join/values: []}
# ```
# %%
%%step find
found = [n for n in range(3) if n > 5]
# %%
%%step each_one --foreach n in found
value = n
# %%
%%step join
count = len(each_one)
values = each_one.value
