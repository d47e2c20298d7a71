//! Golden files: what others rely on, word for word. The tests beside this file make them and
//! compare; a difference is either a mistake or a decision that belongs into the same commit.
