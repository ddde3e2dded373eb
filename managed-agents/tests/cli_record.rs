//! The record through the program, as an operator and an auditor use it.
