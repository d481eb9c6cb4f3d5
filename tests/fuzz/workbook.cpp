// Workbooks by their parts, which are put into an archive: the workbook, its relations, shared
// strings, a sheet. Mutated archives fail at their checksums and never come as far.
#include "labelprobe/files/workbook.h"

#include <array>
#include <string>

#include <nlohmann/json.hpp>
#include <zip.h>

#include "labelprobe/files/table.h"

#include "fuzz/input.h"
#include "fuzz_targets.h"

namespace labelprobe::fuzz {

namespace {

constexpr std::array<const char*, 4> kNames = {"xl/workbook.xml", "xl/_rels/workbook.xml.rels",
                                               "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"};

// Made in memory, as libzip's own way to write a file takes most of a call.
std::string archive_of(std::string_view input) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* const made = zip_source_buffer_create(nullptr, 0, 0, &error);
  zip_source_keep(made);
  zip_t* const archive = zip_open_from_source(made, ZIP_TRUNCATE, &error);
  if (archive == nullptr) throw InternalError("no archive");
  const auto parts = parts_of(input, kNames.size());
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (!parts[i]) continue;
    zip_source_t* const source = zip_source_buffer(archive, parts[i]->data(), parts[i]->size(), 0);
    const auto at = zip_file_add(archive, kNames[i], source, 0);
    zip_set_file_compression(archive, static_cast<zip_uint64_t>(at), ZIP_CM_STORE, 0);
  }
  if (zip_close(archive) != 0) throw InternalError("archive not written");
  zip_stat_t status;
  std::string bytes;
  // Without any part there is no archive, and no bytes.
  if (zip_source_open(made) == 0) {
    if (zip_source_stat(made, &status) == 0) bytes.resize(status.size);
    zip_source_read(made, bytes.data(), bytes.size());
    zip_source_close(made);
  }
  zip_source_free(made);
  return bytes;
}

}  // namespace

void workbook(std::string_view input) {
  const auto path = file_with("a.xlsx", archive_of(input));
  const files::Workbook read(path);
  for (const std::string& sheet : read.sheets()) {
    files::TableOptions options;
    options.sheet = sheet;
    keep(files::read_table(path, options).rows.size());
  }
}

}  // namespace labelprobe::fuzz
