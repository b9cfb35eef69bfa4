# %% [markdown]
# ```yaml
# expect:
#   diagnostics: [{code: NBF201, severity: error, cell: 2, line: 2, mentions: [rowz]}]
# ```
# %%
%%step load
rows = [1]
# %%
%%step use
total = sum(rowz)
