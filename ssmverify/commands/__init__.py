"""The commands, one file each; `ssmverify.cli` registers them."""
