"""One module per syntax family: AST nodes go in, instructions in the open block come out."""
