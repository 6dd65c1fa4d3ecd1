"""adar_viz: watch a positive item turn into a negative.

Import what you need from the floor it lives on; importing this package alone loads neither
torch nor any plotting library.

Making (torch): `adar_viz.datasets`, `adar_viz.backbones`, `adar_viz.diffusion`,
`adar_viz.negatives`, `adar_viz.losses`, `adar_viz.training`, `adar_viz.evaluation`,
`adar_viz.experiment`. Showing (NumPy): `adar_viz.trace`, `adar_viz.displays`,
`adar_viz.widgets`. Shared by both: `adar_viz.transition`.
"""

__version__ = "0.1.0"
