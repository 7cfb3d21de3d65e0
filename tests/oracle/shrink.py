# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes a world that shows a mismatch smaller, as long as it still shows one."""

import copy
import time

from .objects import flatten

SECONDS = 40


def shrink(world, fails):
    """(smaller world, what fails(it) returned); `fails` returns None for a world that is right."""
    problem, end = None, time.monotonic() + SECONDS
    world = copy.deepcopy(world)
    flat = with_documents(world, lambda documents: [o for d in documents for o in flatten(d)])
    if result := fails(flat):
        world, problem = flat, result
    chunk = max(1, len(documents_of(world)) // 2)
    while chunk and time.monotonic() < end:
        at = 0
        while at < len(documents_of(world)) and time.monotonic() < end:
            dropped = {id(document) for document in documents_of(world)[at:at + chunk]}
            smaller = with_documents(
                world, lambda documents, dropped=dropped: [d for d in documents
                                                           if id(d) not in dropped])
            if result := fails(smaller):
                world, problem = smaller, result
            else:
                at += chunk
        chunk //= 2
    return world, problem


def documents_of(world):
    return [document for _, _, files in world.directories for documents in files.values()
            for document in documents]


def with_documents(world, change):
    other = copy.copy(world)
    other.directories = [(allocate, namespace, {name: change(documents)
                                                for name, documents in files.items()})
                         for allocate, namespace, files in world.directories]
    return other
