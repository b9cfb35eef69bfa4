# %% [markdown]
# ```yaml
# expect:
#   status: succeeded
#   tasks: {from_set: 3, from_generator: 2, from_dict: 2}
#   values: {join/letters: [A, B, C], join/squares: [0, 1], join/pairs: [a1, b2]}
# ```
# %%
%%step make
letters = {"a", "b", "c"}
table = {"a": 1, "b": 2}
# %%
%%step from_set --foreach letter in letters
upper = letter.upper()
# %%
%%step from_generator --foreach square in (n * n for n in range(2))
same = square
# %%
%%step from_dict --foreach key, value in table.items()
pair = f"{key}{value}"
# %%
%%step join
letters = sorted(from_set.upper)
squares = from_generator.same
pairs = from_dict.pair
