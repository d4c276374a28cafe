//! Languages and hosts to start from, each a program: see the folders beside this file.
