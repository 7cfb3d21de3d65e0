# kubesvc: see README.md. `make V=1` shows the commands.
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
CC ?= gcc
BUILD ?= build
WARN = -Wall -Wextra -Wshadow -Wconversion
CFLAGS ?= -O2 -g
PKGS = libsystemd glib-2.0 yaml-0.1 yajl libcares
