/* The compiled parts of parsing: the text of a node (_text.c) and the links of a page (_links.c).

   Each does what a function in Python does too, and gives way to it where it cannot. They change nothing in a tree, keep
   no state between calls, and their stack does not grow with the page. */

#include "_native.h"
#include <dlfcn.h>

int
node_kind_init(node_kind *kind, PyObject *type)
{
    kind->type = kind->address_name = NULL;
    if (!PyType_Check(type)) {
        PyErr_SetString(PyExc_TypeError, "the type of nodes must be a type");
        return 0;
    }
    kind->type = Py_NewRef(type);
    kind->address_name = PyUnicode_InternFromString("mem_id");
    return kind->address_name != NULL;
}

void
node_kind_clear(node_kind *kind)
{
    Py_CLEAR(kind->type);
    Py_CLEAR(kind->address_name);
}

void *
node_address(const node_kind *kind, PyObject *node)
{
    PyObject *number;
    void *address;
    if (!PyObject_TypeCheck(node, (PyTypeObject *)kind->type)) {
        PyErr_SetString(PyExc_TypeError, "a LexborNode is needed");
        return NULL;
    }
    number = PyObject_GetAttr(node, kind->address_name);
    if (number == NULL)
        return NULL;
    address = PyLong_AsVoidPtr(number);
    Py_DECREF(number);
    if (address == NULL && !PyErr_Occurred())
        PyErr_SetString(PyExc_ValueError, "the node has no address");
    return address;
}

int
find_functions(const char *path, const wanted_function *wanted, size_t count)
{
    size_t index;
    void *library = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
    if (library == NULL) {
        PyErr_Format(PyExc_ImportError, "%s is not loaded", path);
        return 0;
    }
    for (index = 0; index < count; index++) {
        void *found = dlsym(library, wanted[index].name);
        if (found == NULL) {
            PyErr_Format(PyExc_ImportError, "%s does not export %s", path, wanted[index].name);
            break;
        }
        memcpy(wanted[index].to, &found, sizeof found);
    }
    dlclose(library); /* Python never unloads it. */
    return index == count;
}

static PyMethodDef methods[] = {
    {"reader", new_reader, METH_VARARGS, "reader(path, node_type, kinds): the function that reads a node."},
    {"linker", new_linker, METH_VARARGS, "linker(path, node_type): the function that resolves references."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_native", "Parts of parsing, compiled.", 0, methods, slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC
PyInit__native(void)
{
    return PyModuleDef_Init(&definition);
}
