"""The vocabulary: what each step says, its sentence, and how it is carried out on the stage.

Above peers and targets, below cases.
"""
