"""Acts whose disk fails: at the n-th system call that changes it, for every n."""
