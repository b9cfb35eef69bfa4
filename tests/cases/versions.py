# %% [markdown]
# ```yaml
# expect:
#   status: succeeded
#   values: {early/n: 4, late/n: 2, late/names: [a, double], early/names: [a]}
#   depends: [[early, load], [clean, load], [late, widen], [widen, clean]]
#   parallel: [[early, clean], [early, widen]]
# ```
# %%
import pandas as pd
# %%
%%step load
df = pd.DataFrame({"a": [1, None, 3, None]})
# %%
%%step early
n = len(df)
names = list(df.columns)
# %%
%%step clean
df = df.dropna()
# %%
%%step widen
df = df.assign(double=df.a * 2)
# %%
%%step late
n = len(df)
names = list(df.columns)
