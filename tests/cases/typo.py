# %% [markdown]
# ```yaml
# expect:
#   diagnostics: [{code: NBF104, severity: error, cell: 1, line: 1, mentions: [retries]}]
# ```
# %%
%%step load --retries 2
rows = [1]
