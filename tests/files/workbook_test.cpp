#include "labelprobe/files/workbook.h"

#include <fstream>
#include <sstream>

#include "labelprobe/core/error.h"
#include "labelprobe/core/limits.h"

#include "support/paths.h"
#include "support/small_workbook.h"

namespace labelprobe::files {

using support::cell;
using support::Parts;
using support::workbook_parts;
using support::write_archive;

namespace {

using Rows = std::vector<std::vector<std::string>>;

class WorkbookFile {
 public:
  explicit WorkbookFile(const Parts& parts) { write_archive(path(), parts); }

  std::string path() const { return (folder_.path() / "A.xlsx").string(); }

  Rows rows() const {
    Rows rows;
    Workbook(path()).for_each_row("slurs", [&](SheetRow& row) { rows.push_back(row.cells); });
    return rows;
  }

  std::string bytes() const {
    std::stringstream content;
    content << std::ifstream(path(), std::ios::binary).rdbuf();
    return content.str();
  }
  void write(const std::string& bytes) { std::ofstream(path(), std::ios::binary) << bytes; }

  void expect_error(const std::string& message) const {
    INFO(message);
    REQUIRE_THROWS_AS(rows(), DataError);
    REQUIRE_THROWS_WITH(rows(), ContainsSubstring(path()) && ContainsSubstring(message));
  }

 private:
  support::TempFolder folder_;
};

void expect_rows_error(const std::string& rows, const std::string& message) {
  WorkbookFile(workbook_parts(rows)).expect_error(message);
}

void expect_part_error(const std::string& part,
                       const std::string& content,
                       const std::string& message) {
  Parts parts = workbook_parts("<row r=\"1\"/>");
  parts[part] = content;
  WorkbookFile(parts).expect_error(message);
}

// Little-endian, as ZIP archives keep sizes.
std::string four_bytes(std::size_t size) {
  std::string bytes;
  for (int shift = 0; shift < 32; shift += 8) {
    bytes += static_cast<char>((size >> shift) & 0xFF);
  }
  return bytes;
}

}  // namespace

TEST_CASE("Reads every kind of cell of a workbook", "[unit]") {
  const WorkbookFile file(workbook_parts(
      "<row r=\"2\">" + cell("B2", "inline &amp; &lt;escaped&gt; &#233;") +
      "<c r=\"C2\"><v>0.5</v></c><c r=\"E2\" t=\"s\"><v>1</v></c></row><row r=\"3\"/>"
      "<row><c t=\"s\"><v>0</v></c><c t=\"b\"><v>1</v></c><c t=\"str\"><f>A1</f><v>x</v></c></row>"
      "<row r=\"9\"><c r=\"A9\" t=\"s\"><v>2</v></c></row>"));
  REQUIRE(file.rows() == Rows{{"", "inline & <escaped> \xC3\xA9", "0.5", "", "in runs"},
                              {"first", "1", "x"},
                              {" "}});
}

TEST_CASE("Namespace prefixes make no difference", "[unit]") {
  Parts parts = workbook_parts("");
  parts["xl/worksheets/sheet1.xml"] =
      "<x:worksheet xmlns:x=\"m\"><x:sheetData><x:row r=\"1\"><x:c r=\"A1\"><x:v>7</x:v></x:c>"
      "</x:row></x:sheetData></x:worksheet>";
  REQUIRE(WorkbookFile(parts).rows() == Rows{{"7"}});
}

TEST_CASE("Cells that cannot be are named", "[unit]") {
  const auto row = [](const std::string& cells) { return "<row r=\"4\">" + cells + "</row>"; };
  expect_rows_error(row("<c r=\"B4\" t=\"s\"><v>3</v></c>"),
                    "sheet 'slurs', cell B4: expected one of the 3 shared strings by its number, "
                    "found '3'");
  expect_rows_error(row("<c r=\"B4\" t=\"s\"><v>-1</v></c>"), "cell B4: expected one of the 3");
  expect_rows_error(row("<c r=\"B4\" t=\"s\"/>"), "cell B4: expected one of the 3");
  expect_rows_error(row("<c r=\"C4\"/><c r=\"B4\"/>"),
                    "cell D4: expected a cell in column D to IV, found 'B4'");
  expect_rows_error(row("<c r=\"IW4\"/>"),
                    "cell A4: expected a cell in column A to IV, found 'IW4'");
  expect_rows_error(row("<c r=\"ZZZZZZZZZZZZZZ4\"/>"), "found 'ZZZZZZZZZZZZZZ4'");
  expect_rows_error(row("<c r=\"4\"/>"), "found '4'");
  expect_rows_error(row(cell("A4", std::string(98302, 'x'))),
                    "cell A4: expected at most 98301 bytes, found 98302");
  expect_rows_error("<row r=\"2\"/><row r=\"2\"/>",
                    "sheet 'slurs': expected rows numbered from 3 to 1048576, found row '2'");
  expect_rows_error("<row r=\"1048577\"/>", "found row '1048577'");
  expect_rows_error("<row r=\"99999999999999999999\"/>", "found row '99999999999999999999'");
}

TEST_CASE("Damaged workbooks are reported with the part", "[unit]") {
  const std::string sheet = "xl/worksheets/sheet1.xml";
  expect_part_error(sheet, "<worksheet><sheetData>\n<row></worksheet>",
                    "part xl/worksheets/sheet1.xml, line 2: expected XML, found at byte");
  expect_part_error(sheet, "", "part xl/worksheets/sheet1.xml, line 1: expected XML");
  expect_part_error(sheet, "<a>\xFF</a>", "part xl/worksheets/sheet1.xml: expected XML in UTF-8");
  expect_part_error("xl/workbook.xml", "<workbook/>", "expected a sheet 'slurs', found no sheet");
  expect_part_error("xl/workbook.xml",
                    "<workbook><sheets><sheet name=\"words\" r:id=\"rId1\"/></sheets></workbook>",
                    "expected a sheet 'slurs', found words");
  Parts parts = workbook_parts("");
  parts.erase(sheet);
  WorkbookFile(parts).expect_error("part xl/worksheets/sheet1.xml: expected this part of a");
  parts.erase("xl/_rels/workbook.xml.rels");
  WorkbookFile(parts).expect_error("part xl/_rels/workbook.xml.rels: expected this part of a");
}

TEST_CASE("Entities of a document type are refused before they grow", "[unit]") {
  const std::string laughs =
      "<?xml version=\"1.0\"?><!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\">"
      "<!ENTITY c \"&b;&b;&b;&b;\">]><worksheet><sheetData><row r=\"1\"><c r=\"A1\"><v>&c;</v></c>"
      "</row></sheetData></worksheet>";
  const std::string file = "<!DOCTYPE l [<!ENTITY x SYSTEM \"file:///etc/hostname\">]><worksheet/>";
  for (const std::string part :
       {"xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/sharedStrings.xml"}) {
    for (const std::string& content : {laughs, file}) {
      expect_part_error(part, content,
                        "part " + part + ": expected XML without a document type, found <!DOCTYPE");
    }
  }
}

TEST_CASE("Deep nesting is no trouble", "[unit]") {
  std::string deep;
  for (int i = 0; i < 200000; ++i) {
    deep += "<a>";
  }
  expect_part_error("xl/worksheets/sheet1.xml", deep, "expected XML, found at byte");
  for (int i = 0; i < 200000; ++i) {
    deep += "</a>";
  }
  Parts parts = workbook_parts("");
  parts["xl/worksheets/sheet1.xml"] = deep;
  REQUIRE(WorkbookFile(parts).rows().empty());
}

TEST_CASE("Zip bombs are refused, whatever size they state", "[unit]") {
  Parts parts = workbook_parts("<row r=\"1\"/>");
  const std::size_t n_bytes = limits::kWorkbookPartBytes + 12345;
  parts["xl/worksheets/sheet1.xml"] = std::string(n_bytes, ' ');
  WorkbookFile bomb(parts);
  REQUIRE(bomb.bytes().size() < 100000);
  bomb.expect_error("part xl/worksheets/sheet1.xml: expected at most 32 MiB once unpacked");
  std::string bytes = bomb.bytes();
  int n_lies = 0;
  for (std::size_t at = bytes.find(four_bytes(n_bytes)); at != std::string::npos;
       at = bytes.find(four_bytes(n_bytes))) {
    bytes.replace(at, 4, four_bytes(10));
    ++n_lies;
  }
  REQUIRE(n_lies == 2);
  bomb.write(bytes);
  REQUIRE_THROWS_AS(bomb.rows(), DataError);
}

TEST_CASE("Workbooks that are cut off or changed anywhere never crash", "[unit]") {
  WorkbookFile file(workbook_parts("<row r=\"1\">" + cell("A1", "POST") + "</row>"));
  const std::string bytes = file.bytes();
  for (std::size_t n_bytes = 0; n_bytes < bytes.size(); n_bytes += 7) {
    file.write(bytes.substr(0, n_bytes));
    INFO(n_bytes);
    REQUIRE_THROWS_AS(file.rows(), DataError);
  }
  int n_errors = 0;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 0x41);
    file.write(changed);
    try {
      file.rows();
    } catch (const DataError&) {
      ++n_errors;
    }
  }
  REQUIRE(n_errors > 100);
  file.write("POST,HARMFUL\n");
  file.expect_error("expected a workbook (.xlsx, a ZIP archive), found none");
}

}  // namespace labelprobe::files
