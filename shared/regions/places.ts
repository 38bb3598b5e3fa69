/**
 * Where things are, to the degree, for requests that come without coordinates. Data centres by their airports,
 * countries by where most of their people live and not by the middle of their land, which for some is a desert.
 */
import type { Place } from "./region.ts";

function places(text: string): ReadonlyMap<string, Place> {
  const entries = text.matchAll(/([A-Z]{2,3}) (-?\d+),(-?\d+)/g);
  return new Map(
    [...entries].map(([, name, latitude, longitude]) => [
      name!,
      { latitude: Number(latitude), longitude: Number(longitude) },
    ]),
  );
}

/** Data centres, those where most traffic is. */
export const COLOS: ReadonlyMap<string, Place> = places(`
  SEA 47,-122  PDX 46,-123  SFO 38,-122  SJC 37,-122  LAX 34,-118  SAN 33,-117  LAS 36,-115  PHX 33,-112  SLC 41,-112
  YVR 49,-123  YYC 51,-114  DEN 40,-105  DFW 33,-97  IAH 30,-95  AUS 30,-98  MCI 39,-95  MSP 45,-93  ORD 42,-88
  STL 39,-90  DTW 42,-83  ATL 34,-84  MIA 26,-80  TPA 28,-83  JAX 30,-82  CLT 35,-81  IAD 39,-77  PHL 40,-75
  EWR 41,-74  JFK 41,-74  BOS 42,-71  YYZ 44,-80  YUL 45,-74  MEX 19,-99  QRO 21,-100  GDL 21,-103  PTY 9,-79
  BOG 5,-74  MDE 6,-75  UIO 0,-78  LIM -12,-77  SCL -33,-71  EZE -35,-59  GRU -23,-46  GIG -23,-43  CWB -26,-49
  POA -30,-51  FOR -4,-39  BSB -16,-48  MVD -35,-56
  LHR 51,0  MAN 53,-2  EDI 56,-3  DUB 53,-6  LIS 39,-9  MAD 40,-4  BCN 41,2  CDG 49,3  MRS 43,5  LYS 46,5
  BRU 51,4  AMS 52,5  LUX 50,6  DUS 51,7  FRA 50,9  HAM 54,10  TXL 53,13  BER 52,14  MUC 48,12  STR 49,9  ZRH 47,9
  GVA 46,6  MXP 46,9  FCO 42,12  PMO 38,13  CPH 56,13  GOT 58,12  OSL 60,11  ARN 60,18  HEL 60,25  RIX 57,24
  TLL 59,25  VNO 55,25  WAW 52,21  PRG 50,14  VIE 48,17  BTS 48,17  BUD 47,19  ZAG 46,16  BEG 45,20  OTP 45,26
  SOF 43,23  SKG 41,23  ATH 38,24  IST 41,29  KBP 50,31  KIV 47,29  DME 55,38  LED 60,30  TBS 42,45  EVN 40,44
  TLV 32,35  AMM 32,36  BEY 34,35  BGW 33,44  RUH 25,47  JED 22,39  DMM 26,50  KWI 29,48  BAH 26,51  DOH 25,51
  DXB 25,55  MCT 24,58  CAI 30,31  ALG 37,3  TUN 37,10  CMN 33,-8  DKR 15,-17  ACC 6,0  LOS 7,3  NBO -1,37
  MBA -4,40  ADD 9,39  DAR -7,39  LAD -9,13  HRE -18,31  JNB -26,28  CPT -34,19  DUR -30,31  MRU -20,58
  KHI 25,67  LHE 32,74  ISB 34,73  DEL 29,77  BOM 19,73  HYD 17,78  MAA 13,80  BLR 13,78  CCU 23,88  AMD 23,73
  CMB 7,80  DAC 24,90  KTM 28,85  TAS 41,69  ALA 43,77  RGN 17,96  BKK 14,101  KUL 3,102  SIN 1,104  CGK -6,107
  SGN 11,107  HAN 21,106  PNH 12,105  MNL 15,121  CEB 10,124  HKG 22,114  MFM 22,114  TPE 25,121  KHH 23,120
  NRT 36,140  KIX 34,135  FUK 34,130  OKA 26,128  ICN 37,126  PVG 31,122  PEK 40,117  CAN 23,113  ULN 48,107
  PER -32,116  ADL -35,139  MEL -38,145  SYD -34,151  CBR -35,149  BNE -27,153  AKL -37,175  CHC -43,173  GUM 13,145
  HNL 21,-158`);

/** Countries by ISO 3166-1 alpha-2. */
export const COUNTRIES: ReadonlyMap<string, Place> = places(`
  US 39,-87  CA 45,-78  MX 20,-100  GT 15,-90  HN 15,-87  SV 14,-89  NI 12,-86  CR 10,-84  PA 9,-80  CU 22,-80
  DO 19,-70  HT 19,-72  JM 18,-77  PR 18,-66  TT 10,-61  CO 5,-74  VE 10,-67  EC -1,-79  PE -12,-76  BO -17,-67
  CL -33,-71  AR -34,-60  UY -34,-56  PY -25,-57  BR -21,-46  GY 7,-58  SR 6,-55
  GB 52,-1  IE 53,-7  FR 48,3  ES 40,-4  PT 39,-9  BE 51,4  NL 52,5  LU 50,6  DE 51,9  CH 47,8  AT 48,15  IT 43,12
  DK 56,11  NO 60,10  SE 59,16  FI 61,25  IS 64,-22  EE 59,25  LV 57,24  LT 55,24  PL 52,20  CZ 50,15  SK 48,18
  HU 47,19  SI 46,15  HR 45,16  BA 44,18  RS 44,21  ME 42,19  MK 42,21  AL 41,20  GR 38,24  BG 43,25  RO 45,26
  MD 47,29  UA 49,32  BY 54,28  RU 55,40  TR 39,31  CY 35,33  MT 36,14  GE 42,44  AM 40,44  AZ 40,49
  IL 32,35  PS 32,35  LB 34,36  JO 32,36  SY 35,37  IQ 33,44  IR 35,51  SA 24,45  YE 15,45  OM 23,58  AE 25,55
  QA 25,51  BH 26,51  KW 29,48  EG 30,31  LY 32,15  TN 36,10  DZ 36,3  MA 33,-7  SN 15,-17  ML 13,-7  CI 6,-5
  GH 6,-1  NG 8,6  CM 5,11  SD 15,33  ET 9,39  SO 3,45  KE -1,37  UG 1,32  RW -2,30  TZ -5,37  CD -4,20  AO -10,14
  ZM -14,28  ZW -18,31  MZ -18,36  MG -19,47  MU -20,58  BW -24,26  NA -22,17  ZA -28,28
  KZ 46,73  UZ 41,67  KG 42,74  TJ 38,69  TM 38,59  AF 34,68  PK 30,71  IN 22,79  NP 28,85  BD 24,90  LK 7,80
  MM 19,96  TH 14,101  LA 18,103  KH 12,105  VN 16,107  MY 3,102  SG 1,104  ID -7,109  PH 14,121  BN 5,115  HK 22,114
  MO 22,114  TW 24,121  CN 32,115  MN 48,107  KR 37,127  KP 39,126  JP 36,138
  AU -34,148  NZ -39,175  PG -6,147  FJ -18,178  GU 13,145`);

/** Continents by the codes of `request.cf`. */
export const CONTINENTS: ReadonlyMap<string, Place> = places(`
  NA 39,-87  SA -20,-55  EU 50,12  AF 2,20  AS 25,100  OC -32,148  AN -80,0`);
