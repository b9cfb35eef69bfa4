# %% [markdown]
# ```yaml
# expect:
#   status: succeeded
#   values: {use/text: "1.50", use/rows: 7, other/text: "2.25"}
# ```
# %%
%%setup
import pandas as pd
pd.set_option("display.max_rows", 7)
DIGITS = 2
def show_number(value):
    return f"{value:.{DIGITS}f}"
# %%
%%step use
text = show_number(1.5)
rows = pd.get_option("display.max_rows")
# %%
%%step other
text = show_number(2.25)
