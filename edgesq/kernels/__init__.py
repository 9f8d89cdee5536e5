"""The kernel families: what each can run, what that takes, and how weights are packed for it.

A family is a room of its own beside what all of them share. Nothing here knows of a plan: planner,
generator, reports and diagnosis ask, and keep the answer.
"""
