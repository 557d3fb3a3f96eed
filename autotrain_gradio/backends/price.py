"""The price of a training before it is started."""

from __future__ import annotations

import math
from dataclasses import dataclass

from autotrain_gradio.core.text_format import format_duration


@dataclass(frozen=True)
class Flavor:
    """One kind of machine.

    price: USD per hour. accelerators: number of GPUs. memory: of each GPU, as the service writes it.
    """

    name: str
    title: str
    price: float
    accelerators: int = 0
    memory: str = ""

    def text(self) -> str:
        """Return title and price."""
        return f"{self.title}, {format_cost(self.price)} per hour"


@dataclass(frozen=True)
class Quote:
    """Price and limits of one attempt.

    flavor, title: the hardware. price: USD per hour. seconds: hard limit of the duration.
    """

    flavor: str
    title: str
    price: float
    seconds: float

    @property
    def cost(self) -> float:
        """Most that the attempt costs, in USD."""
        return self.seconds / 3600 * self.price

    def text(self) -> str:
        """Return a sentence about price and limits."""
        return (
            f"{self.title}: {format_cost(self.price)} per hour; at most {format_duration(self.seconds)}, "
            f"so at most {format_cost(self.cost)}."
        )


def format_cost(usd: float) -> str:
    """Return an amount in USD, rounded up to cents: "0.40 USD"."""
    return f"{math.ceil(round(usd * 100, 2)) / 100:,.2f} USD"
