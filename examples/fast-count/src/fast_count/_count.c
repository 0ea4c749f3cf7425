/* count(data) -> (lines, words, characters, bytes) of UTF-8 text, within the limited API. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static int is_blank(unsigned char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static PyObject *count(PyObject *module, PyObject *data)
{
    Py_buffer view;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0)
        return NULL;

    const unsigned char *text = view.buf;
    Py_ssize_t lines = 0, words = 0, characters = 0, size = view.len;
    int blank = 1;

    Py_BEGIN_ALLOW_THREADS
    for (Py_ssize_t i = 0; i < size; i++) {
        unsigned char c = text[i];
        int now = is_blank(c);
        lines += c == '\n';
        words += blank && !now;
        characters += (c & 0xC0) != 0x80; /* a continuation byte begins no character */
        blank = now;
    }
    Py_END_ALLOW_THREADS

    PyBuffer_Release(&view);
    return Py_BuildValue("nnnn", lines, words, characters, size);
}

static PyMethodDef methods[] = {
    {"count", count, METH_O, "count(data, /)\n--\n\n(lines, words, characters, bytes) of UTF-8 text."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_count", "Counting in C.", 0, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__count(void) { return PyModuleDef_Init(&definition); }
