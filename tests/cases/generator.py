# %% [markdown]
# ```yaml
# expect:
#   diagnostics: [{code: NBF208, severity: error, cell: 1, line: 2, mentions: [lines]}]
# ```
# %%
%%step read
lines = (str(n) for n in range(3))
# %%
%%step use
first = next(lines)
