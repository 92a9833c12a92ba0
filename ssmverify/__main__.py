"""`python -m ssmverify` is the command `ssmverify`."""

from ssmverify.cli import main

main(prog_name="ssmverify")
