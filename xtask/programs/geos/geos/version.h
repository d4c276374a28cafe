/* CMake would make this from version.h.in. */
#ifndef GEOS_VERSION_H_INCLUDED
#define GEOS_VERSION_H_INCLUDED

#define GEOS_VERSION_MAJOR 3
#define GEOS_VERSION_MINOR 15
#define GEOS_VERSION_PATCH 1
#define GEOS_VERSION "3.15.1"
#define GEOS_JTS_PORT "1.20.0"

#endif
