"""Holds roots and proofs, read as JSON from standard input, against pymerkle, which shares no code
with Rollcall. Prints how many it looked at; ends with an error at the first that is not the same."""

import json
import sys

from pymerkle import InmemoryTree, verify_consistency, verify_inclusion
from pymerkle.proof import InclusionProof


def main():
    said = json.load(sys.stdin)
    tree = InmemoryTree(algorithm="sha256")
    for entry in said["entries"]:
        tree.append_entry(bytes.fromhex(entry))
    root = {size: tree.get_root(size) for size in range(tree.get_size() + 1)}
    for size, claimed in said["roots"]:
        assert root[size].hex() == claimed, f"root of {size}: {claimed}, theirs {root[size].hex()}"
    for index, size, path in said["inclusion"]:
        # They count from 1, and begin a path with the leaf itself.
        leaf = tree.get_leaf(index + 1)
        proof = {**tree.prove_inclusion(index + 1, size).serialize(), "path": [leaf.hex()] + path}
        proof = InclusionProof.deserialize(proof)
        verify_inclusion(leaf, root[size], proof, index=index + 1, size=size, algorithm="sha256")
    # Their proofs of consistency have another shape than RFC 6962's, so ours cannot be given to them:
    # theirs must hold between our roots.
    ours = {size: bytes.fromhex(root) for size, root in said["roots"]}
    for old, new in said["consistency"]:
        proof = tree.prove_consistency(old, new)
        verify_consistency(ours[old], ours[new], proof, prior_size=old, later_size=new, algorithm="sha256")
    print(len(said["roots"]), len(said["inclusion"]), len(said["consistency"]))


main()
