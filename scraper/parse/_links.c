/* The short ways of links.py, compiled: references that are only joined to a part of the base.

   A reference is an attribute's value. The plain ones are told by their bytes, and the standard's answer is the base's
   origin, its folder or its document with the reference behind it; or the reference itself, where it is an absolute URL
   in the form that the standard gives it. All others go to the function that knows the whole standard.

       a/b.html      the folder          #top              the document
       /a/b.html     the origin          https://a.example/b/c    itself
       ../a          the folder's parent */

#include "_native.h"

typedef void *(*attribute_function)(void *element_or_attribute);
typedef const unsigned char *(*text_function)(void *attribute, size_t *length);
typedef int (*type_function)(void *node);

typedef struct {
    attribute_function first_attribute, next_attribute;
    text_function qualified_name, value;
    type_function node_type;
    node_kind nodes;
} linker;

/* Bytes that lie somewhere else. */
typedef struct {
    const char *at;
    size_t length;
} span;

/* The parts of the base: "http://a.example", and with a path "/b/" and "/b/c?d" behind it. */
typedef struct {
    span origin, folder, document;
} base_url;

/* ---- Bytes ---- */

enum { NAME = 1, ALNUM = 2, HOST = 4 };

/* NAME: no part of a URL encodes or changes it. HOST: no host does, in lower case. */
static unsigned char classes[256];

static void
fill_classes(void)
{
    const char *at;
    for (at = "abcdefghijklmnopqrstuvwxyz0123456789"; *at; at++)
        classes[(unsigned char)*at] = NAME | ALNUM | HOST;
    for (at = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"; *at; at++)
        classes[(unsigned char)*at] = NAME | ALNUM;
    for (at = "_~!$&()*+,;=@.?#"; *at; at++)
        classes[(unsigned char)*at] = NAME;
    classes['-'] = NAME | HOST;
}

static int
is_a(span text, size_t index, int class)
{
    return index < text.length && (classes[(unsigned char)text.at[index]] & class);
}

static int
begins(span text, const char *with, size_t length)
{
    return text.length >= length && memcmp(text.at, with, length) == 0;
}

static span
behind(span text, size_t count)
{
    span rest = {text.at + count, text.length - count};
    return rest;
}

/* ---- What is plain ---- */

/* Segments of a path, and what follows it: plain bytes, slashes, and no segment that begins with a dot. */
static int
are_plain_segments(span text, int with_colon)
{
    size_t index;
    for (index = 0; index < text.length; index++) {
        if (text.at[index] == '/') {
            if (index + 1 < text.length && text.at[index + 1] == '.')
                return 0;
        }
        else if (!is_a(text, index, NAME) && !(with_colon && text.at[index] == ':'))
            return 0;
    }
    return 1;
}

/* A reference that begins with a name. Without ":", which may end a scheme. */
static int
is_plain_name(span text)
{
    return is_a(text, 0, ALNUM) && are_plain_segments(text, 0);
}

/* One that begins at the root, and not with "//" or "/.". */
static int
is_plain_path(span text)
{
    return text.length && text.at[0] == '/' && !(text.length > 1 && text.at[1] == '/') && are_plain_segments(text, 1);
}

static int
is_plain_fragment(span text)
{
    size_t index;
    if (!text.length || text.at[0] != '#')
        return 0;
    for (index = 1; index < text.length; index++)
        if (text.at[index] == '#' || !(is_a(text, index, NAME) || text.at[index] == '/' || text.at[index] == ':'))
            return 0;
    return 1;
}

/* How long the host is that `text` begins with; 0 where it is none in its final form: labels of lower-case letters,
   digits and hyphens, none of them encoded, the last one no number. */
static size_t
host_length(span text)
{
    size_t index, label = 0;
    for (index = 0; is_a(text, index, HOST) || (index < text.length && text.at[index] == '.'); index++) {
        if (text.at[index] != '.')
            continue;
        if (index == label)
            return 0;
        label = index + 1;
    }
    if (index == label || index > 200 || !(text.at[label] >= 'a' && text.at[label] <= 'z'))
        return 0;
    for (label = 0; label + 4 <= index; label++)
        if (memcmp(text.at + label, "xn--", 4) == 0)
            return 0;
    return index;
}

static int
is_plain_absolute(span text)
{
    size_t scheme = begins(text, "https://", 8) ? 8 : begins(text, "http://", 7) ? 7 : 0;
    size_t host = scheme ? host_length(behind(text, scheme)) : 0;
    span rest;
    if (!host)
        return 0;
    rest = behind(text, scheme + host);
    return rest.length && rest.at[0] == '/' && are_plain_segments(rest, 1);
}

/* ---- Attributes ---- */

enum { ELEMENT = 1 }; /* DOM standard, Node.nodeType */

static unsigned char
lowered(unsigned char byte)
{
    return byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte;
}

static int
are_same_name(const unsigned char *one, const char *other, size_t length)
{
    size_t index;
    for (index = 0; index < length; index++)
        if (lowered(one[index]) != lowered((unsigned char)other[index]))
            return 0;
    return 1;
}

/* An element's attribute by its qualified name, as selectolax finds it: `href` is not `xlink:href`. NULL for none. */
static void *
find_attribute(const linker *lexbor, void *element, span name)
{
    void *attribute;
    for (attribute = lexbor->first_attribute(element); attribute != NULL;
         attribute = lexbor->next_attribute(attribute)) {
        size_t length = 0;
        const unsigned char *found = lexbor->qualified_name(attribute, &length);
        if (found != NULL && length == name.length && are_same_name(found, name.at, length))
            return attribute;
    }
    return NULL;
}

/* ---- Joining ---- */

/* The folder above a folder; the root is above itself. */
static span
parent_of(span folder, span origin)
{
    if (folder.length <= origin.length + 1)
        return folder;
    do
        folder.length--;
    while (folder.at[folder.length - 1] != '/');
    return folder;
}

/* What stands before a plain reference, of which `text` keeps what is to be appended; 0 where it is not plain. */
static int
place_of(const base_url *base, span *text, span *place)
{
    static const span nothing = {"", 0};
    int goes_up = begins(*text, "../", 3);
    *place = base->folder;
    while (begins(*text, "../", 3)) {
        *place = parent_of(*place, base->origin);
        *text = behind(*text, 3);
    }
    if (is_plain_name(*text))
        return 1;
    /* Behind "../" only a name is plain: "..//a" has an empty segment, and "../#a" is not in this document. */
    if (text->length == 0 || goes_up)
        return 0;
    *place = text->at[0] == '/' ? base->origin : text->at[0] == '#' ? base->document : nothing;
    return is_plain_path(*text) || is_plain_fragment(*text) || is_plain_absolute(*text);
}

static PyObject *
joined(span place, span text)
{
    char small[512], *bytes = small;
    size_t length = place.length + text.length;
    PyObject *url;
    if (length > (size_t)PY_SSIZE_T_MAX || (length > sizeof small && (bytes = PyMem_Malloc(length)) == NULL))
        return PyErr_NoMemory();
    memcpy(bytes, place.at, place.length);
    memcpy(bytes + place.length, text.at, text.length);
    url = PyUnicode_DecodeUTF8(bytes, (Py_ssize_t)length, "strict");
    if (bytes != small)
        PyMem_Free(bytes);
    return url;
}

/* What the reference of a node leads to; None where it has none, as `whole` may say too. NULL with an exception set. */
static PyObject *
resolved(const linker *lexbor, PyObject *node, span name, const base_url *base, PyObject *whole)
{
    span text = {NULL, 0}, place;
    void *element = node_address(&lexbor->nodes, node), *attribute;
    if (element == NULL)
        return NULL;
    if (lexbor->node_type(element) != ELEMENT) {
        PyErr_SetString(PyExc_TypeError, "only elements have attributes");
        return NULL;
    }
    attribute = find_attribute(lexbor, element, name);
    if (attribute == NULL)
        return Py_NewRef(Py_None);
    text.at = (const char *)lexbor->value(attribute, &text.length);
    if (text.at != NULL && text.length && place_of(base, &text, &place))
        return joined(place, text);
    return PyObject_CallFunctionObjArgs(whole, node, NULL);
}

/* ---- What Python sees ---- */

static const char CAPSULE[] = "scraper.parse._native.linker";

static PyObject *
resolve_nodes(PyObject *self, PyObject *args)
{
    const linker *lexbor = PyCapsule_GetPointer(self, CAPSULE);
    PyObject *nodes, *whole, *urls;
    span name;
    base_url base;
    Py_ssize_t index, count, lengths[4];
    if (lexbor == NULL ||
        !PyArg_ParseTuple(args, "O!y#y#y#y#O:links", &PyList_Type, &nodes, &name.at, &lengths[0], &base.origin.at,
                          &lengths[1], &base.folder.at, &lengths[2], &base.document.at, &lengths[3], &whole))
        return NULL;
    name.length = (size_t)lengths[0];
    base.origin.length = (size_t)lengths[1];
    base.folder.length = (size_t)lengths[2];
    base.document.length = (size_t)lengths[3];
    count = PyList_Size(nodes);
    urls = PyList_New(count);
    for (index = 0; urls != NULL && index < count; index++) {
        PyObject *node = index < PyList_Size(nodes) ? PyList_GetItem(nodes, index) : NULL, *url;
        if (node == NULL) {
            PyErr_SetString(PyExc_RuntimeError, "the list of nodes has changed");
            Py_CLEAR(urls);
            break;
        }
        Py_INCREF(node);
        url = resolved(lexbor, node, name, &base, whole);
        Py_DECREF(node);
        if (url == NULL || PyList_SetItem(urls, index, url) < 0)
            Py_CLEAR(urls);
    }
    return urls;
}

static PyMethodDef resolve_nodes_def = {
    "links", resolve_nodes, METH_VARARGS, "What the references of nodes lead to, None for none."};

static void
free_linker(PyObject *capsule)
{
    linker *lexbor = PyCapsule_GetPointer(capsule, CAPSULE);
    node_kind_clear(&lexbor->nodes);
    PyMem_Free(lexbor);
}

PyObject *
new_linker(PyObject *Py_UNUSED(module), PyObject *args)
{
    const char *path;
    PyObject *node_type, *capsule, *function = NULL;
    linker *lexbor;
    if (!PyArg_ParseTuple(args, "sO:linker", &path, &node_type))
        return NULL;
    lexbor = PyMem_Calloc(1, sizeof *lexbor);
    if (lexbor == NULL)
        return PyErr_NoMemory();
    capsule = PyCapsule_New(lexbor, CAPSULE, free_linker);
    if (capsule == NULL) {
        PyMem_Free(lexbor);
        return NULL;
    }
    const wanted_function wanted[] = {
        {"lxb_dom_element_first_attribute_noi", &lexbor->first_attribute},
        {"lxb_dom_element_next_attribute_noi", &lexbor->next_attribute},
        {"lxb_dom_attr_qualified_name", &lexbor->qualified_name},
        {"lxb_dom_attr_value_noi", &lexbor->value},
        {"lxb_dom_node_type_noi", &lexbor->node_type},
    };
    fill_classes();
    if (node_kind_init(&lexbor->nodes, node_type) && find_functions(path, wanted, sizeof wanted / sizeof *wanted))
        function = PyCFunction_NewEx(&resolve_nodes_def, capsule, NULL);
    Py_DECREF(capsule);
    return function;
}
