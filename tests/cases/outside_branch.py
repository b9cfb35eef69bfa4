# %% [markdown]
# ```yaml
# expect:
#   diagnostics: [{code: NBF203, severity: error, cell: 2, line: 2, mentions: [score, train]}]
# ```
# %%
%%step train --foreach n in [1, 2]
score = n
# %%
%%step choose
best = max(score)
