# %% [markdown]
# ```yaml
# expect:
#   status: succeeded
#   values: {look/same: true, look/total: 6, look/kind: true, look/color: RED}
# ```
# %%
from dataclasses import dataclass, field
from enum import Enum

class Color(Enum):
    RED = 1

@dataclass
class Basket:
    color: Color
    items: list = field(default_factory=list)

    def put(self, item):
        self.items.append(item)
# %%
%%step make
basket = Basket(Color.RED)
shelf = {"left": basket}
# %%
%%step fill
for n in (1, 2, 3):
    basket.put(n)
# %%
%%step look
same = shelf["left"] is basket
total = sum(shelf["left"].items)
kind = isinstance(basket, Basket)
color = basket.color.name
