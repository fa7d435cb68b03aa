/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test.h - what every test of the core includes first: cmocka, Busway, and tables of cases.
 *
 * A case of a table says in .because why its expectation is right; a failure prints that.
 */
#ifndef BUSWAY_TEST_H
#define BUSWAY_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <busway/busway.h>

#include <inttypes.h>
#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
