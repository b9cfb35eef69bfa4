# %% [markdown]
# ```yaml
# expect:
#   diagnostics: [{code: NBF205, severity: error, mentions: [a, b]}]
# ```
# %%
%%step a
x = 1
# %%
%%step b
y = x + 1
# %%
%%step a
z = y + 1
