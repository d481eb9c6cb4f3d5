// Workbooks that a test writes part by part and spoils as it likes.
#pragma once

#include <map>
#include <string>

#include <zip.h>

#include "support/catch.h"

namespace labelprobe::support {

using Parts = std::map<std::string, std::string>;

inline void write_archive(const std::string& path, const Parts& parts) {
  int error = 0;
  zip_t* const archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &error);
  REQUIRE(archive != nullptr);
  for (const auto& [name, content] : parts) {
    zip_source_t* const source = zip_source_buffer(archive, content.data(), content.size(), 0);
    REQUIRE(zip_file_add(archive, name.c_str(), source, 0) >= 0);
  }
  REQUIRE(zip_close(archive) == 0);
}

inline std::string cell(const std::string& reference, const std::string& text) {
  return "<c r=\"" + reference + "\" t=\"inlineStr\"><is><t>" + text + "</t></is></c>";
}

// One workbook with the sheet `slurs`, whose rows are given as XML.
inline Parts workbook_parts(const std::string& rows) {
  const std::string head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  return {
      {"xl/workbook.xml", head + "<workbook xmlns:r=\"r\"><sheets><sheet name=\"slurs\" "
                                 "sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"},
      {"xl/_rels/workbook.xml.rels",
       head + "<Relationships><Relationship Id=\"rId1\" Type=\"x/worksheet\" "
              "Target=\"worksheets/sheet1.xml\"/><Relationship Id=\"rId2\" "
              "Type=\"x/sharedStrings\" Target=\"/xl/sharedStrings.xml\"/></Relationships>"},
      {"xl/sharedStrings.xml",
       head + "<sst><si><t>first</t></si><si><r><t xml:space=\"preserve\">in </t></r><rPh><t>no"
              "</t></rPh><r><t>runs</t></r></si><si><t xml:space=\"preserve\"> </t></si></sst>"},
      {"xl/worksheets/sheet1.xml",
       head + "<worksheet><sheetData>" + rows + "</sheetData></worksheet>"}};
}

}  // namespace labelprobe::support
