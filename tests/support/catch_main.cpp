// Catch2 2 wants its main() compiled once, unless the distribution has compiled it; Catch2 3 brings
// its own.
#if !__has_include(<catch2/catch_all.hpp>)
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
#endif
