"""The learned side: layers trained from random weights, held against what they can be at best.

`train_gd_ssm`, `train_two_layers` and `train_sine` train and compare; each returns a `Comparison` of its own module.
`ssmverify train` is the same on the command line.
"""

from ssmverify.experiments.fitting import Recipe
from ssmverify.experiments.gd_ssm import train_gd_ssm
from ssmverify.experiments.sine import train_sine
from ssmverify.experiments.tasks import LinearRegression, Sine
from ssmverify.experiments.two_layers import train_two_layers

__all__ = ["LinearRegression", "Recipe", "Sine", "train_gd_ssm", "train_sine", "train_two_layers"]
