// Peak FMA rate and memory bandwidth, 1..N threads. Plain C + AVX-512 intrinsics.
// build: clang -O3 -march=native -fopenmp peak.c -o peak
#include <immintrin.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdint.h>
#include <time.h>
#include <sys/mman.h>
static void*halloc(size_t b){ b=((b+(1<<21)-1)>>21)<<21; void*p=aligned_alloc(1<<21,b); madvise(p,b,MADV_HUGEPAGE); return p; }
// With one thread the process's CPU time, which other programs' turns do not lengthen; with more the wall time.
static clockid_t watch=CLOCK_PROCESS_CPUTIME_ID;
static double now(void){struct timespec t;clock_gettime(watch,&t);return t.tv_sec+1e-9*t.tv_nsec;}
static int cmpd(const void*a,const void*b){double x=*(double*)a,y=*(double*)b;return (x>y)-(x<y);}
#define REP 40
#define SHOW(fmt,name,nt,v) printf(fmt ",%d,%.1f,%.1f\n",name,nt,v[REP-1],v[REP/2])
static double med(double*v,int n){qsort(v,n,sizeof*v,cmpd);return v[n/2];}
volatile float sinkf; volatile double sinkd; volatile long sinkl;

#define NACC 12
static void fma_ps(long it){ __m512 a[NACC]; __m512 x=_mm512_set1_ps(0.999f),y=_mm512_set1_ps(1e-3f);
 for(int i=0;i<NACC;i++)a[i]=_mm512_set1_ps(i);
 for(long k=0;k<it;k++){
  _Pragma("unroll") for(int i=0;i<NACC;i++){ a[i]=_mm512_fmadd_ps(a[i],x,y); }
  __asm__ volatile(""::: );
 }
 __m512 s=a[0];for(int i=1;i<NACC;i++)s=_mm512_add_ps(s,a[i]); sinkf=_mm512_reduce_add_ps(s);}
static void fma_pd(long it){ __m512d a[NACC]; __m512d x=_mm512_set1_pd(0.999),y=_mm512_set1_pd(1e-3);
 for(int i=0;i<NACC;i++)a[i]=_mm512_set1_pd(i);
 for(long k=0;k<it;k++){
  _Pragma("unroll") for(int i=0;i<NACC;i++){ a[i]=_mm512_fmadd_pd(a[i],x,y); }
  __asm__ volatile(""::: );
 }
 __m512d s=a[0];for(int i=1;i<NACC;i++)s=_mm512_add_pd(s,a[i]); sinkd=_mm512_reduce_add_pd(s);}
static void mul32(long it){ __m512i a[NACC]; __m512i x=_mm512_set1_epi32(12345);
 for(int i=0;i<NACC;i++)a[i]=_mm512_set1_epi32(i+3);
 for(long k=0;k<it;k++){
  _Pragma("unroll") for(int i=0;i<NACC;i++){ a[i]=_mm512_mullo_epi32(a[i],x); __asm__("":"+v"(a[i])); }
 }
 __m512i s=a[0];for(int i=1;i<NACC;i++)s=_mm512_add_epi32(s,a[i]); sinkl=_mm512_reduce_add_epi32(s);}
static void add32(long it){ __m512i a[NACC]; __m512i x=_mm512_set1_epi32(12345);
 for(int i=0;i<NACC;i++)a[i]=_mm512_set1_epi32(i+3);
 for(long k=0;k<it;k++){
  _Pragma("unroll") for(int i=0;i<NACC;i++){ a[i]=_mm512_add_epi32(a[i],x); __asm__("":"+v"(a[i])); }
 }
 __m512i s=a[0];for(int i=1;i<NACC;i++)s=_mm512_add_epi32(s,a[i]); sinkl=_mm512_reduce_add_epi32(s);}
static void scalar_chain(long it){ double a=1.0,x=0.999,y=1e-3; for(long k=0;k<it;k++){ __asm__ volatile("vfmadd213sd %2,%1,%0":"+x"(a):"x"(x),"x"(y)); } sinkd=a;}
// Multiplications: 3 cycles on every x86-64 since 2008 (chains of additions are folded by some).
static void int_chain(long it){ long a=1,x=3; for(long k=0;k<it;k++){ __asm__ volatile("imul %1,%0\n imul %1,%0\n imul %1,%0\n imul %1,%0\n":"+r"(a):"r"(x)); } sinkl=a;}

static void flops(int nt){
 double v[REP];
 for(int r=0;r<REP;r++){ long it=400000; double t=now();
  #pragma omp parallel num_threads(nt)
  fma_ps(it);
  t=now()-t; v[r]=(double)nt*it*NACC*32/t/1e9; }
 med(v,REP); SHOW("%s","fma_f32_gflops",nt,v);
 for(int r=0;r<REP;r++){ long it=400000; double t=now();
  #pragma omp parallel num_threads(nt)
  fma_pd(it);
  t=now()-t; v[r]=(double)nt*it*NACC*16/t/1e9; }
 med(v,REP); SHOW("%s","fma_f64_gflops",nt,v);
 for(int r=0;r<REP;r++){ long it=400000; double t=now();
  #pragma omp parallel num_threads(nt)
  mul32(it);
  t=now()-t; v[r]=(double)nt*it*NACC*16/t/1e9; }
 med(v,REP); SHOW("%s","mullo_i32_gops",nt,v);
 for(int r=0;r<REP;r++){ long it=500000; double t=now();
  #pragma omp parallel num_threads(nt)
  add32(it);
  t=now()-t; v[r]=(double)nt*it*NACC*16/t/1e9; }
 med(v,REP); SHOW("%s","add_i32_gops",nt,v);
 if(nt==1){
  for(int r=0;r<REP;r++){ long it=2000000; double t=now(); int_chain(it); t=now()-t; v[r]=it*12/t/1e9; }
  med(v,REP); printf("clock_ghz_mul_chain,1,%.3f,%.3f\n",v[REP-1],v[REP/2]); double ghz=v[REP-1];
  for(int r=0;r<REP;r++){ long it=2000000; double t=now(); scalar_chain(it); t=now()-t; v[r]=t/it*1e9; }
  med(v,REP); printf("fma_latency_cycles,1,%.2f,%.2f\n",v[0]*ghz,v[REP/2]*ghz);
 }
}
// kinds: 0 read,1 write,2 write_nt,3 copy,4 copy_nt,5 triad,6 triad_nt
static const char*KN[]={"read","write","write_nt","copy","copy_nt","triad","triad_nt"};
static __attribute__((noinline)) float work(int kind,float*a,float*b,float*c,long n){
 __m512 s0=_mm512_setzero_ps(),s1=s0,s2=s0,s3=s0,k=_mm512_set1_ps(3.f);
 switch(kind){
 case 0: for(long i=0;i<n;i+=64){ s0=_mm512_add_ps(s0,_mm512_load_ps(a+i)); s1=_mm512_add_ps(s1,_mm512_load_ps(a+i+16)); s2=_mm512_add_ps(s2,_mm512_load_ps(a+i+32)); s3=_mm512_add_ps(s3,_mm512_load_ps(a+i+48)); } break;
 case 1: for(long i=0;i<n;i+=64){ _mm512_store_ps(a+i,k);_mm512_store_ps(a+i+16,k);_mm512_store_ps(a+i+32,k);_mm512_store_ps(a+i+48,k);} break;
 case 2: for(long i=0;i<n;i+=64){ _mm512_stream_ps(a+i,k);_mm512_stream_ps(a+i+16,k);_mm512_stream_ps(a+i+32,k);_mm512_stream_ps(a+i+48,k);} _mm_sfence(); break;
 case 3: for(long i=0;i<n;i+=32){ _mm512_store_ps(a+i,_mm512_load_ps(b+i));_mm512_store_ps(a+i+16,_mm512_load_ps(b+i+16));} break;
 case 4: for(long i=0;i<n;i+=32){ _mm512_stream_ps(a+i,_mm512_load_ps(b+i));_mm512_stream_ps(a+i+16,_mm512_load_ps(b+i+16));} _mm_sfence(); break;
 case 5: for(long i=0;i<n;i+=32){ _mm512_store_ps(a+i,_mm512_fmadd_ps(k,_mm512_load_ps(c+i),_mm512_load_ps(b+i)));_mm512_store_ps(a+i+16,_mm512_fmadd_ps(k,_mm512_load_ps(c+i+16),_mm512_load_ps(b+i+16)));} break;
 case 6: for(long i=0;i<n;i+=32){ _mm512_stream_ps(a+i,_mm512_fmadd_ps(k,_mm512_load_ps(c+i),_mm512_load_ps(b+i)));_mm512_stream_ps(a+i+16,_mm512_fmadd_ps(k,_mm512_load_ps(c+i+16),_mm512_load_ps(b+i+16)));} _mm_sfence(); break;
 }
 __asm__ volatile("":::"memory");
 return _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(s0,s1),_mm512_add_ps(s2,s3)));
}
static int arrays[]={1,1,1,2,2,3,3};
static void bw(int nt,const char*lvl,long total_bytes_per_thread){
 // total footprint per thread split over the arrays used; GB/s counts bytes the program names (no RFO)
 for(int kind=0;kind<7;kind++){
  if((kind==2||kind==4||kind==6)&&strcmp(lvl,"DRAM"))continue;
  long n=total_bytes_per_thread/4/arrays[kind]; n&=~63L;
  float*buf[64][3];
  #pragma omp parallel num_threads(nt)
  { int t=omp_get_thread_num(); for(int j=0;j<arrays[kind];j++){ buf[t][j]=(float*)((char*)halloc(n*4+8192)+j*1088*64%8192); memset(buf[t][j],0,n*4); } }
  double v[REP]; long it=(long)(3e7/(n*4.0*arrays[kind])); if(it<1)it=1;
  for(int r=0;r<REP;r++){ double t0=now();
   #pragma omp parallel num_threads(nt)
   { int t=omp_get_thread_num(); float s=0; for(long k=0;k<it;k++) s+=work(kind,buf[t][0],buf[t][1],buf[t][2],n); sinkf=s; }
   double t=now()-t0; v[r]=(double)nt*it*n*4*arrays[kind]/t/1e9; }
  med(v,REP); printf("bw_%s_%s_GBs,%d,%.1f,%.1f\n",lvl,KN[kind],nt,v[REP-1],v[REP/2]); fflush(stdout);
  for(int t=0;t<nt;t++)for(int j=0;j<arrays[kind];j++)free((void*)((uintptr_t)buf[t][j]>>21<<21));
 }
}
static void lat(long bytes,const char*n){ long m=bytes/64; uint32_t*p=halloc(bytes);
 uint32_t*perm=malloc(m*4); for(long i=0;i<m;i++)perm[i]=i; for(long i=m-1;i>0;i--){long j=((uint64_t)rand()*RAND_MAX+rand())%i;uint32_t t=perm[i];perm[i]=perm[j];perm[j]=t;}
 for(long i=0;i<m;i++)p[perm[i]*16]=perm[(i+1)%m]*16;
 uint32_t x=0; for(long i=0;i<m;i++)x=p[x]; long it=5000000; double t=now(); for(long i=0;i<it;i++)x=p[x]; t=now()-t; sinkl=x; printf("latency_%s_ns,1,%.2f,%.2f\n",n,t/it*1e9,t/it*1e9); free(p);free(perm);}
int main(void){ printf("what,threads,best,median\n");
 for(int nt=1;nt<=2;nt++){ watch=nt==1?CLOCK_PROCESS_CPUTIME_ID:CLOCK_MONOTONIC; flops(nt);
  bw(nt,"L1",32*1024); bw(nt,"L2",640*1024); bw(nt,"L3",8L<<20); bw(nt,"DRAM",384L<<20);} 
 watch=CLOCK_PROCESS_CPUTIME_ID; lat(24<<10,"L1");lat(512<<10,"L2");lat(12L<<20,"L3");lat(512L<<20,"DRAM");
 return 0;}
