//go:build !linux

package main

import "syscall"

// endsWithParent can ask for nothing: a program whose parent is killed stays.
func endsWithParent() *syscall.SysProcAttr { return nil }
