// What a report's page shows without its script: runs, notes, tables, validity, figures.
#pragma once

#include <string>

#include "labelprobe/analysis/report_page.h"

namespace labelprobe::analysis {

// Sections of HTML, each with a heading; empty where there is nothing to show.
std::string own_sections(const ReportPage& page);  // ReportPage::sections
std::string runs_section(const ReportPage& page);
std::string notes_section(const ReportPage& page);
std::string tables_section(const ReportPage& page);
std::string validity_section(const ReportPage& page);
std::string pictures_section(const ReportPage& page);

}  // namespace labelprobe::analysis
