"""The commands of the command line: one file each, named as it is typed; `options` and `numbers` are shared."""
