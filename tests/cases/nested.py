# %% [markdown]
# ```yaml
# expect:
#   status: succeeded
#   tasks: {outer: 2, inner: 5, sum_up: 2, gather: 1}
#   values: {gather/pairs: [[1, 1], [2, 1], [2, 2], [2, 3], [2, 4]], gather/totals: [1, 10], gather/parents: [1, 2, 2, 2, 2], inner/1.3/product: 8, sum_up/1/total: 10}
#   depends: [[inner, outer], [sum_up, inner], [gather, sum_up]]
# ```
# %%
%%step outer --foreach size in [1, 2]
count = size ** 2
# %%
%%step inner --each outer --foreach index in range(1, count + 1)
product = size * index
# %%
%%step sum_up --each outer
total = sum(inner.index)
# %%
%%step gather
pairs = [[b.parent.size, b.item] for b in inner]
totals = sum_up.total
parents = [b.parent.item for b in inner]
