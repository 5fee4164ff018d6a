# The version is that of the installed header. As with the soname, another
# minor version breaks programs before 1.0, and another major one from then on.

# What `make install` fills in, else the usual place.
foreach(folder "@INCLUDEDIR@" ../../../include)
  get_filename_component(header "${folder}/arrayproxy.h" ABSOLUTE
    BASE_DIR "${CMAKE_CURRENT_LIST_DIR}")
  if(NOT PACKAGE_VERSION AND EXISTS "${header}")
    file(STRINGS "${header}" numbers REGEX "^#define AP_VERSION_(MAJOR|MINOR|PATCH) [0-9]+$")
    string(REGEX REPLACE "[^0-9;]" "" numbers "${numbers}")
    list(GET numbers 0 major)
    list(GET numbers 1 minor)
    string(REPLACE ";" "." PACKAGE_VERSION "${numbers}")
  endif()
endforeach()

set(PACKAGE_VERSION_COMPATIBLE FALSE)
if(NOT PACKAGE_VERSION)
  set(PACKAGE_VERSION_UNSUITABLE TRUE)
elseif(PACKAGE_FIND_VERSION_RANGE)
  if(PACKAGE_VERSION VERSION_LESS PACKAGE_FIND_VERSION_MAX
      OR (PACKAGE_VERSION VERSION_EQUAL PACKAGE_FIND_VERSION_MAX
        AND PACKAGE_FIND_VERSION_RANGE_MAX STREQUAL "INCLUDE"))
    if(NOT PACKAGE_VERSION VERSION_LESS PACKAGE_FIND_VERSION_MIN)
      set(PACKAGE_VERSION_COMPATIBLE TRUE)
    endif()
  endif()
elseif(PACKAGE_VERSION VERSION_EQUAL PACKAGE_FIND_VERSION)
  set(PACKAGE_VERSION_COMPATIBLE TRUE)
  set(PACKAGE_VERSION_EXACT TRUE)
elseif(PACKAGE_VERSION VERSION_GREATER PACKAGE_FIND_VERSION
    AND PACKAGE_FIND_VERSION_MAJOR EQUAL major
    AND (major GREATER 0 OR PACKAGE_FIND_VERSION_MINOR EQUAL minor))
  set(PACKAGE_VERSION_COMPATIBLE TRUE)
endif()
