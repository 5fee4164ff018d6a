# find_package(arrayproxy) gives two targets, each if its library is installed:
#   arrayproxy::arrayproxy   the shared library
#   arrayproxy::static       the static one, with the system's that it needs
# Folders are relative to this file's, so all can be moved together.

# The first of the folders' files that exists, else nothing.
function(_arrayproxy_find variable name)
  foreach(folder IN LISTS ARGN)
    get_filename_component(path "${folder}/${name}" ABSOLUTE
      BASE_DIR "${CMAKE_CURRENT_LIST_DIR}")
    if(EXISTS "${path}")
      set(${variable} "${path}" PARENT_SCOPE)
      return()
    endif()
  endforeach()
  set(${variable} "" PARENT_SCOPE)
endfunction()

# What `make install` fills in, else the usual places.
set(_arrayproxy_folders
  "@LIBDIR@" "../../../lib/${CMAKE_LIBRARY_ARCHITECTURE}" ../../../lib64 ../../../lib)
_arrayproxy_find(_arrayproxy_header arrayproxy.h "@INCLUDEDIR@" ../../../include)
_arrayproxy_find(_arrayproxy_shared
  "libarrayproxy${CMAKE_SHARED_LIBRARY_SUFFIX}" ${_arrayproxy_folders})
_arrayproxy_find(_arrayproxy_static libarrayproxy.a ${_arrayproxy_folders})
get_filename_component(_arrayproxy_include "${_arrayproxy_header}" DIRECTORY)

if(_arrayproxy_shared AND NOT TARGET arrayproxy::arrayproxy)
  add_library(arrayproxy::arrayproxy SHARED IMPORTED)
  set_target_properties(arrayproxy::arrayproxy PROPERTIES
    IMPORTED_LOCATION "${_arrayproxy_shared}"
    INTERFACE_INCLUDE_DIRECTORIES "${_arrayproxy_include}")
endif()

if(_arrayproxy_static AND NOT TARGET arrayproxy::static)
  add_library(arrayproxy::static STATIC IMPORTED)
  set_target_properties(arrayproxy::static PROPERTIES
    IMPORTED_LOCATION "${_arrayproxy_static}"
    INTERFACE_INCLUDE_DIRECTORIES "${_arrayproxy_include}"
    INTERFACE_LINK_LIBRARIES "gcc_s;util;rt;pthread;m;dl;c")
  if(APPLE)
    set_target_properties(arrayproxy::static PROPERTIES
      INTERFACE_LINK_LIBRARIES "iconv;System;c;m")
  endif()
endif()

if(NOT _arrayproxy_header OR NOT (_arrayproxy_shared OR _arrayproxy_static))
  set(arrayproxy_FOUND FALSE)
  set(arrayproxy_NOT_FOUND_MESSAGE
    "arrayproxy.h or the library is not where ${CMAKE_CURRENT_LIST_FILE} seeks it")
endif()
