package main

import "syscall"

// endsWithParent has the kernel end a program when this one is killed.
func endsWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
}
