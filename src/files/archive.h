// The XML parts of a ZIP archive.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>

#include <pugixml.hpp>
#include <zip.h>

namespace labelprobe::files {

class Archive {
 public:
  // Throws DataError if the file is missing or no ZIP archive.
  explicit Archive(const std::filesystem::path& path);

  bool has(const std::string& part) const;

  // The tree of a part. Entities other than XML's own stay as they are written.
  // Throws DataError if the part is missing, damaged, encrypted or larger once
  // unpacked than core/limits.h allows, if it is no XML or no UTF-8, or if it declares a document
  // type: there entities are defined, and no workbook needs any.
  std::unique_ptr<pugi::xml_document> parse(const std::string& part) const;

 private:
  struct Close {
    void operator()(zip_t* archive) const { zip_discard(archive); }
  };

  std::string read(const std::string& part) const;

  std::filesystem::path path_;
  std::unique_ptr<zip_t, Close> archive_;
};

// The element's name without its namespace prefix.
std::string local_name(const char* qualified);

}  // namespace labelprobe::files
