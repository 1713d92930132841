/* What the parts of _native share: the addresses of nodes, and Lexbor's functions.

   Nothing here knows how Lexbor lays out a node. It holds addresses, and asks the functions that selectolax's own module
   exports, as Lexbor's headers declare them. */

#ifndef SCRAPER_NATIVE_H
#define SCRAPER_NATIVE_H

#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

/* How a LexborNode tells its address. */
typedef struct {
    PyObject *type, *address_name;
} node_kind;

/* 0 with an exception set where it failed; to be cleared in either case. */
int node_kind_init(node_kind *kind, PyObject *type);
void node_kind_clear(node_kind *kind);

/* A node's address; NULL with an exception set where it is none. The caller's reference keeps the tree alive. */
void *node_address(const node_kind *kind, PyObject *node);

/* A function to look for, and where its address goes. */
typedef struct {
    const char *name;
    void *to;
} wanted_function;

/* Finds functions in the module that Python has loaded from `path`; 0 with an exception set where one is missing. */
int find_functions(const char *path, const wanted_function *wanted, size_t count);

/* What Python sees of each part. */
PyObject *new_reader(PyObject *module, PyObject *args);
PyObject *new_linker(PyObject *module, PyObject *args);

#endif
