#include "labelprobe/files/npy.h"

#include <fstream>
#include <string>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/paths.h"

namespace labelprobe::files {
namespace {

std::string message_of(const std::string& content) {
  const support::TempFolder folder;
  const auto path = folder.path() / "x.npy";
  std::ofstream(path, std::ios::binary) << content;
  try {
    read_npy(MappedFile(path));
  } catch (const DataError& error) {
    return error.what();
  }
  return "no error";
}

std::string with_header(const std::string& header) {
  return std::string("\x93NUMPY\x01\0", 8) + static_cast<char>(header.size()) + '\0' + header;
}

}  // namespace

TEST_CASE("Reads what numpy.save writes", "[unit]") {
  const MappedFile file(support::fixture("data/vectors/float32.npy"));
  CHECK(is_npy(file.text()));
  const NpyMatrix matrix = read_npy(file);
  CHECK(matrix.n_number_bytes == 4);
  CHECK(matrix.n_columns == 4);
  CHECK(matrix.bytes.size() == matrix.n_rows * 16);
}

TEST_CASE("Refuses arrays of another kind and broken headers", "[unit]") {
  CHECK(message_of(with_header("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 1), }")) ==
        "no error");
  for (const char* header : {"{'descr': '<f8', 'fortran_order': True, 'shape': (2, 1), }",
                             "{'descr': '>f4', 'fortran_order': False, 'shape': (2, 1), }",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", "{"}) {
    CHECK_THAT(message_of(with_header(header)),
               ContainsSubstring("expected a two-dimensional array of little-endian float32"));
  }
  CHECK_THAT(message_of("PK"), ContainsSubstring("expected a .npy file, found 2 bytes"));
  CHECK_THAT(message_of(std::string("\x93NUMPY\x01\0\xFF\xFF", 10)),
             ContainsSubstring("expected the header of a plain .npy array within the file, of at "
                               "most 1024 bytes, found one of 65535"));
}

}  // namespace labelprobe::files
