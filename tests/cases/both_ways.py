# %% [markdown]
# ```yaml
# run: [[-p, big, "true"], []]
# expect:
#   status: succeeded
#   skipped: [large, large_report]
#   values: {report/size: small, always/n: 3}
#   parallel: [[large, small]]
# ```
# %%
%%parameters
big: bool = False
# %%
%%step load
rows = [1, 2, 3]
# %%
%%step large --when big
size = "large"
extra = len(rows)
# %%
%%step small --when not big
size = "small"
# %%
%%step large_report
print(extra)
# %%
%%step report
size = size
# %%
%%step always
n = len(rows)
